import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../../src/intake/refusal.ts';
import { readSubject, type SubjectOptions } from '../../../src/intake/subject.ts';
import { LEVELS, type Level } from '../../../src/requests/model.ts';

const all: SubjectOptions = {
  defaultLevel: 'advanced',
  offered: LEVELS,
  defaultMode: 'parallel',
  maxExpiry: 30 * 86_400_000,
  now: new Date('2026-12-01T10:00:00Z'),
};

function refused(subject: string, options = all): Refusal | null {
  try {
    readSubject(subject, options);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

describe('level', () => {
  test.each<[string, Level]>([
    // Tags, anywhere, whatever case and accents
    ['[advanced] contract', 'advanced'],
    ['Contract [QUALIFIED]', 'qualified'],
    ['Contract [ qualified ] of today', 'qualified'],
    ['[standard]', 'standard'],
    ['[simple] contract', 'standard'],
    ['[seal] invoice', 'seal'],
    ['[Avancée] contrat', 'advanced'],
    ['[avancee] contrat', 'advanced'],
    ['[qualifiée] contrat', 'qualified'],
    ['[qualifie] contrat', 'qualified'],
    ['[cachet] facture', 'seal'],
    ['[einfach] Vertrag', 'standard'],
    ['[einfache Signatur] Vertrag', 'standard'],
    ['[fortgeschritten] Vertrag', 'advanced'],
    ['[fortgeschrittene] Vertrag', 'advanced'],
    ['[qualifiziert] Vertrag', 'qualified'],
    ['[qualifizierte Signatur] Vertrag', 'qualified'],
    ['[Siegel] Rechnung', 'seal'],
    ['[qualified signature] contract', 'qualified'],
    ['[signature qualifiée] contrat', 'qualified'],
    // First word before a delimiter or the word signature
    ['Qualified: contract', 'qualified'],
    ['Qualified : contract', 'qualified'],
    ['qualified - contract', 'qualified'],
    ['Qualified – contract', 'qualified'],
    ['Qualified | contract', 'qualified'],
    ['Qualified|contract', 'qualified'],
    ['Qualified signature contract', 'qualified'],
    ['Qualified signature: contract', 'qualified'],
    ['Standard: contract', 'standard'],
    ['Signature qualifiée : contrat', 'qualified'],
    ['Signature qualifiée contrat', 'qualified'],
    ['Qualifizierte Signatur Vertrag', 'qualified'],
    ['Einfach - Vertrag', 'standard'],
    ['Fortgeschritten: Vertrag', 'advanced'],
    // Last word after a delimiter
    ['Contract: qualified', 'qualified'],
    ['Contract - Qualified', 'qualified'],
    ['Contract – qualified', 'qualified'],
    ['Contract | qualified', 'qualified'],
    ['Contract - qualified.', 'qualified'],
    ['Contract - qualified signature', 'qualified'],
    ['Contrat - signature qualifiée', 'qualified'],
    // The whole subject
    ['Qualified', 'qualified'],
    ['qualified signature', 'qualified'],
    ['Siegel', 'seal'],
    ['Qualifiziert!', 'qualified'],
    // Behind prefixes and list tags
    ['Re: Qualified: contract', 'qualified'],
    ['Re: Fwd: AW: WG: TR: RV: Qualified: contract', 'qualified'],
    ['FW: [finance] Qualified: contract', 'qualified'],
    ['[finance] Re: [board] qualified - contract', 'qualified'],
    ['Re[2]: qualified', 'qualified'],
    // The same one twice is one
    ['[qualified] Qualified: contract', 'qualified'],
    ['Qualified: contract - qualifiziert', 'qualified'],
  ])('%s asks for %s', (subject, level) => {
    expect(readSubject(subject, all)).toMatchObject({ level, levelIsDefault: false });
  });

  test.each([
    '',
    'Contract',
    'Advanced course contract',
    'Contract for an advanced course',
    'Standard terms',
    'Standard-Vertrag',
    'Simple contract',
    'A simple seal for the pump',
    '[ticket 12345] contract',
    '[EXT] contract',
    '[due date unknown in text' /* no closing bracket: no tag */,
    'Sample: contract',
    'Deal: Smith',
    'Real - estate',
    'Spiegel: Anzeige',
    'Quality: report',
    'Standort: Berlin',
    'Standby: contract',
    'Vendor - Simple Inc',
    'Contract - final',
    'Re: contract',
    'Réponse: contrat',
    'Qualitätsvertrag',
  ])('%j leaves the level to the config', subject => {
    expect(readSubject(subject, all)).toEqual({
      level: 'advanced',
      levelIsDefault: true,
      mode: 'parallel',
      expiresAt: null,
    });
  });

  test.each([
    ['[qualified] [advanced] contract', 'two levels'],
    ['Qualified: contract [advanced]', 'two levels'],
    ['Qualified: contract - advanced', 'two levels'],
    ['[seal] [standard] x', 'two levels'],
    ['[advnaced] contract', '[advanced]'],
    ['Standart: contract', '[standard]'],
    ['Contract - qualifed', '[qualified]'],
    ['Qualfied', '[qualified]'],
    ['[qualifed signature] contract', '[qualified]'],
    ['[fortgeschriten] Vertrag', '[fortgeschritten]'],
    ['[qualifizert] Vertrag', '[qualifiziert]'],
    ['[avnacée] contrat', '[avancee]'],
    ['[sael] contract', '[seal]'],
    ['[qualifd] contract', '[qualified]'],
    ['Simpel: Vertrag', '[simple]'],
    ['(qualified) contract', '[qualified] or [advanced]'],
    ['[qualified: contract]', '[qualified] or [advanced]'],
    ['Standards: contract', '[standard]'],
    ['Qualified staff contract', '[qualified] or [advanced]'],
    ['Contract for qualified staff', '[qualified] or [advanced]'],
    ['Vertrag für qualifizierte Mitarbeiter', '[qualified] or [advanced]'],
    ['Contrat du personnel qualifié', '[qualified] or [advanced]'],
    ['Qualified-staff contract', '[qualified] or [advanced]'],
    ['[qualified staff] contract', '[qualified] or [advanced]'],
    ['[standard] advanced course', '[advanced] or [standard]'],
    ['[seal] standard terms', '[standard] or [seal]'],
    ['Standard: advanced course', '[advanced] or [standard]'],
    ['q\u200bualified staff', '[qualified] or [advanced]'],
    ['Ｑualified staff', '[qualified] or [advanced]'],
  ])('%s is refused and says %s', (subject, says) => {
    const refusal = refused(subject);
    expect(refusal).toMatchObject({ code: 550, enhanced: '5.6.0' });
    expect(refusal?.message).toContain(says);
  });

  test('a level that is not offered is refused as such, never replaced', () => {
    const advancedOnly = { ...all, offered: ['advanced'] as const };
    expect(refused('[qualified] contract', advancedOnly)?.message).toContain('not offered here. Write [advanced]');
    expect(refused('[standard] contract', advancedOnly)?.message).toContain('not offered here');
    expect(refused('Seal', advancedOnly)?.message).toContain('not offered here');
    expect(refused('Qualified staff contract', advancedOnly)?.message).toMatch(
      /\[qualified\] or \[advanced\].*qualified is not offered/,
    );
    expect(refused('Contract', advancedOnly)).toBeNull();
  });

  test('whatever the subject, the level is never below a level word that it contains', () => {
    const words: [string, number][] = [
      ['standard', 1],
      ['advanced', 2],
      ['qualified', 3],
      ['qualifiziert', 3],
      ['avancée', 2],
    ];
    const filler = fc.constantFrom('contract', '-', ':', '|', '[', ']', 'signature', 'Re:', 'of', '[x]', 'due', '–');
    const piece = fc.oneof(filler, fc.constantFrom(...words.map(([word]) => word)));
    const rank = { seal: 0, standard: 1, advanced: 2, qualified: 3 };
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom(...LEVELS), (pieces, defaultLevel) => {
        const subject = pieces.join(' ');
        try {
          const { level } = readSubject(subject, { ...all, defaultLevel });
          for (const [word, wanted] of words) {
            if (pieces.includes(word)) expect(rank[level]).toBeGreaterThanOrEqual(wanted);
          }
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
      }),
      { numRuns: 3000, seed: 1 },
    );
  });

  test('any text is either read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), subject => {
        refused(subject);
      }),
      { numRuns: 2000, seed: 2 },
    );
  });
});

describe('tags', () => {
  test('[in order] makes it ordered, in any case', () => {
    expect(readSubject('Contract [In Order]', all).mode).toBe('ordered');
    expect(readSubject('Contract', { ...all, defaultMode: 'ordered' }).mode).toBe('ordered');
  });

  test.each([
    ['[due 2026-12-24] contract', '2026-12-24T23:59:59.000Z'],
    ['[due 2026-12-31] contract', '2026-12-31T10:00:00.000Z'],
    ['contract [Due 5 days]', '2026-12-06T10:00:00.000Z'],
    ['[due 1 day]', '2026-12-02T10:00:00.000Z'],
    ['[due in 30 days]', '2026-12-31T10:00:00.000Z'],
    ['[due 2026-12-01]', '2026-12-01T23:59:59.000Z'],
  ])('%s is due at %s', (subject, at) => {
    expect(readSubject(subject, all).expiresAt?.toISOString()).toBe(at);
  });

  test.each([
    ['[due tomorrow]', '[due 5 days]'],
    ['[due 2026-02-30]', '[due 5 days]'],
    ['[due 2026-13-01]', '[due 5 days]'],
    ['[due]', '[due 5 days]'],
    ['[due 3 days] [due 4 days]', 'once'],
    ['[due 2026-11-30]', 'over already'],
    ['[due 0 days]', 'over already'],
    ['[due 31 days]', '30 days at most'],
    ['[due 2027-12-31]', '30 days at most'],
  ])('%s is refused and says %s', (subject, says) => {
    expect(refused(subject)?.message).toContain(says);
  });
});
