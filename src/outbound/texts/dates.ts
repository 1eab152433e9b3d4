/** Dates in the reader's language, always with the UTC offset. */
import type { Language } from '../../directory/directory.ts';

const LOCALES: Record<Language, string> = { en: 'en-GB', fr: 'fr-FR', de: 'de-DE' };

/** "Thursday 31 December 2026 at 14:00 (UTC+01:00)". `timeZone`: an IANA name. */
export function formatDate(date: Date, language: Language, timeZone: string): string {
  const text = new Intl.DateTimeFormat(LOCALES[language], {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  })
    .formatToParts(date)
    // "1er décembre", but "2 décembre".
    .map(part => (language === 'fr' && part.type === 'day' && part.value === '1' ? '1er' : part.value))
    .join('');
  return `${text} (${utcOffset(date, timeZone)})`;
}

function utcOffset(date: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(date);
  const offset = parts.find(part => part.type === 'timeZoneName')?.value.replace('GMT', '') ?? '';
  return `UTC${offset === '' ? '+00:00' : offset}`;
}
