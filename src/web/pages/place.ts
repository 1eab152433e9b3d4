/** Where the person is, as far as they want to tell: nothing, a city that they type, or coordinates. */
import { PLACE_LIMIT } from '../../client/approval.ts';
import { h } from '../dom.ts';
import type { Texts } from '../texts/index.ts';

export interface PlaceChoice {
  readonly element: HTMLElement;
  /** Null for nothing. */
  read(): string | null;
}

/** Nothing is chosen first; the browser is asked for coordinates only when the person chooses them. */
export function choosePlace(texts: Texts): PlaceChoice {
  const words = texts.place;
  let coordinates: string | null = null;
  const option = (value: string, checked: boolean): HTMLInputElement =>
    h('input', { type: 'radio', name: 'place', value, checked });
  const [none, city, here] = [option('none', true), option('city', false), option('here', false)];
  const name = h('input', {
    name: 'city',
    maxlength: PLACE_LIMIT,
    autocomplete: 'address-level2',
    'aria-label': words.city,
  });
  const found = h('span', { class: 'soft small', role: 'status' });
  name.hidden = true;

  const choose = (): void => {
    name.hidden = !city.checked;
    if (city.checked) name.focus();
    found.textContent = '';
    coordinates = null;
    if (here.checked) locate();
  };
  const locate = (): void => {
    found.textContent = words.locating;
    const failed = (): void => {
      if (!here.checked) return;
      none.checked = true;
      found.textContent = words.denied;
    };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        if (!here.checked) return;
        coordinates = `${degrees(coords.latitude, 'N', 'S')}, ${degrees(coords.longitude, 'E', 'W')}`;
        found.textContent = coordinates;
      },
      failed,
      { timeout: 20_000, maximumAge: 60_000 },
    );
  };
  for (const radio of [none, city, here]) radio.addEventListener('change', choose);
  const line = (radio: HTMLInputElement, text: string): HTMLElement => h('label', { class: 'choice' }, radio, text);
  return {
    element: h(
      'fieldset',
      { class: 'choices' },
      h('legend', null, words.title),
      line(none, words.none),
      line(city, words.city),
      name,
      line(here, words.here),
      found,
    ),
    read: () => (city.checked ? name.value.trim() || null : here.checked ? coordinates : null),
  };
}

/** Four digits: some ten metres. */
function degrees(value: number, positive: string, negative: string): string {
  return `${Math.abs(value).toFixed(4)}° ${value < 0 ? negative : positive}`;
}
