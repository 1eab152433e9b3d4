/** The plain part. */
import type { Block, Fact, Letter } from './letter.ts';

export function renderText(letter: Letter): string {
  const head = `${letter.title}\n${'-'.repeat(Math.min([...letter.title].length, 60))}`;
  // "-- " (RFC 3676 §4.3): readers know the footer as a signature and leave it out of replies.
  return `${[head, ...letter.blocks.flatMap(renderBlock)].join('\n\n')}\n\n-- \n${letter.footer}\n`;
}

function renderBlock(block: Block): string[] {
  switch (block.kind) {
    case 'paragraph':
      return [block.text];
    case 'facts':
      return [block.facts.map(renderFact).join('\n')];
    case 'quote':
      return [`${block.by}\n${block.text.replace(/^/gm, '> ').replace(/^> $/gm, '>')}`];
    case 'button':
      return [`${block.label}:\n${block.url}`];
    case 'picture':
      return [];
    case 'code':
      return [`    ${block.code}`];
    case 'link':
      return [`${block.text}\n${block.label} ${block.url}`];
  }
}

function renderFact(fact: Fact): string {
  if (fact.values.length === 1 && !fact.numbered) return `${fact.label}: ${fact.values[0]}`;
  return [
    `${fact.label}:`,
    ...fact.values.map((value, index) => `  ${fact.numbered ? `${index + 1}.` : '-'} ${value}`),
  ].join('\n');
}
