/** A document worker and a plan as tests need them. */
import { pino } from 'pino';
import type { LayoutPlan } from '../../src/documents/layout.ts';
import { DocumentWorker, type DocumentWorkerOptions } from '../../src/documents/worker.ts';

export function documentWorker(options: Partial<DocumentWorkerOptions> = {}): DocumentWorker {
  return new DocumentWorker({
    memory: 512 * 1024 * 1024,
    timeout: 60_000,
    maxPages: 2000,
    log: pino({ level: 'silent' }),
    children: 1,
    ...options,
  });
}

export function layoutPlan(plan: Partial<LayoutPlan> = {}): LayoutPlan {
  return {
    company: { name: 'Company Ltd', vat: 'GB123456789' },
    requestId: 'ABCD2345EFGH6789',
    signatories: [{ name: 'John Doe', title: 'Head of Sales', level: 'advanced' }],
    marks: { signaturePage: true, paraphs: false, watermark: false },
    language: 'en',
    date: new Date('2026-11-24T10:00:00Z'),
    ...plan,
  };
}
