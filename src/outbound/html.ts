/** A tagged template that escapes every value unless it is itself made by the template. */

export class Html {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

type Value = string | number | Html | readonly Html[];

/** html`<p>${untrusted}</p>`: strings are escaped for text and quoted attribute values. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((source, literal, index) => source + render(values[index - 1]!) + literal));
}

function render(value: Value): string {
  if (value instanceof Html) return value.source;
  if (typeof value === 'object') return value.map(part => part.source).join('');
  return String(value).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
