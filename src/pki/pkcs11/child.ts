/**
 * The child process that holds a PKCS#11 module, one job at a time: vendors' code runs in its memory, not in the gateway's.
 * Started by Token only; argument: the module's path. It never recovers from a failed token: it says so, and is replaced.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Pkcs11 from 'pkcs11js';
import { rsaBits } from '../key-kinds.ts';
import type { TokenFault, TokenJob, TokenOutcome } from './protocol.ts';
import { curveParameters, ecPublicKey, rsaPublicKey } from './public-key.ts';

/** So many keys of one label are looked at: rotations leave the old ones there. */
const MOST_OF_ONE_LABEL = 1000;

class Fault extends Error {
  override readonly name = 'Fault';
  readonly fault: TokenFault;
  constructor(fault: TokenFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

interface Loaded {
  readonly api: typeof Pkcs11;
  readonly module: Pkcs11.PKCS11;
}

let loaded: Loaded | null = null;
let session: Pkcs11.Handle | null = null;

function load(path: string): Loaded {
  let api: typeof Pkcs11;
  try {
    api = createRequire(import.meta.url)('pkcs11js');
  } catch {
    throw new Fault(
      'module',
      "pkcs11js is not built: install python3, make, a C++ compiler and Node's headers, then run npm ci",
    );
  }
  const module = new api.PKCS11();
  try {
    module.load(path);
    module.C_Initialize({ flags: api.CKF_OS_LOCKING_OK });
  } catch (error) {
    throw new Fault('module', `${path} can't be loaded as a PKCS#11 module: ${messageOf(error)}`);
  }
  return { api, module };
}

/** The session, logged in: a child serves one token. The PIN is tried once, and never when that could lock the token. */
function open({ api, module }: Loaded, { token, pin }: TokenJob): Pkcs11.Handle {
  if (session) return session;
  const slots = module.C_GetSlotList(true).filter(slot => module.C_GetTokenInfo(slot).label.trimEnd() === token);
  const [slot] = slots;
  if (!slot) throw new Fault('no-token', `there is no token “${token}”`);
  if (slots.length > 1) throw new Fault('no-token', `${slots.length} tokens are called “${token}”`);
  const { flags } = module.C_GetTokenInfo(slot);
  if (flags & api.CKF_USER_PIN_LOCKED) throw new Fault('pin-locked', `the PIN of token “${token}” is locked`);
  if (flags & api.CKF_USER_PIN_FINAL_TRY) {
    throw new Fault('pin-locked', `one wrong PIN more would lock token “${token}”: log in once by hand`);
  }
  const handle = module.C_OpenSession(slot, api.CKF_SERIAL_SESSION | api.CKF_RW_SESSION);
  try {
    module.C_Login(handle, api.CKU_USER, pin);
  } catch (error) {
    const code = codeOf(error);
    if (code === api.CKR_PIN_LOCKED) throw new Fault('pin-locked', `the PIN of token “${token}” is locked`);
    if (code === api.CKR_PIN_INCORRECT || code === api.CKR_PIN_INVALID || code === api.CKR_PIN_LEN_RANGE) {
      throw new Fault('wrong-pin', `the PIN of token “${token}” is wrong`);
    }
    throw error;
  }
  session = handle;
  return handle;
}

/** @param id CKA_ID, which both keys of a pair have in common; null for any */
function find(
  { api, module }: Loaded,
  handle: Pkcs11.Handle,
  kind: 'public' | 'private',
  label: string,
  id: Buffer | null = null,
): readonly Pkcs11.Handle[] {
  module.C_FindObjectsInit(handle, [
    { type: api.CKA_CLASS, value: kind === 'public' ? api.CKO_PUBLIC_KEY : api.CKO_PRIVATE_KEY },
    { type: api.CKA_LABEL, value: label },
    ...(id ? [{ type: api.CKA_ID, value: id }] : []),
  ]);
  try {
    return module.C_FindObjects(handle, MOST_OF_ONE_LABEL);
  } finally {
    module.C_FindObjectsFinal(handle);
  }
}

function publicHandle(from: Loaded, handle: Pkcs11.Handle, { key, token }: TokenJob, wanted: Uint8Array | null) {
  const found = find(from, handle, 'public', key);
  const [first, ...others] = found;
  if (!first) throw new Fault('no-key', `there is no public key “${key}” on token “${token}”`);
  const fitting = found.find(one => wanted && Buffer.compare(publicKey(from, handle, one), wanted) === 0);
  if (fitting) return fitting;
  if (others.length > 0)
    throw new Fault('no-key', `several keys on token “${token}” are called “${key}”, and none is its certificate's`);
  return first;
}

function privateHandle(from: Loaded, handle: Pkcs11.Handle, job: TokenJob & { kind: 'sign' }): Pkcs11.Handle {
  const { api, module } = from;
  const [only, ...others] = find(from, handle, 'private', job.key);
  if (only && others.length === 0) return only;
  const publicKey = publicHandle(from, handle, job, job.publicKey);
  const [id] = module.C_GetAttributeValue(handle, publicKey, [{ type: api.CKA_ID }]);
  const [found, ...more] = find(from, handle, 'private', job.key, id!.value as Buffer);
  if (!found) throw new Fault('no-key', `there is no private key “${job.key}” on token “${job.token}”`);
  if (more.length > 0)
    throw new Fault('no-key', `several private keys “${job.key}” on token “${job.token}” have the same id`);
  return found;
}

function publicKey(from: Loaded, handle: Pkcs11.Handle, key: Pkcs11.Handle): Uint8Array {
  const { api, module } = from;
  const attributes = (...types: readonly number[]) =>
    module
      .C_GetAttributeValue(
        handle,
        key,
        types.map(type => ({ type })),
      )
      .map(({ value }) => value);
  const [type] = attributes(api.CKA_KEY_TYPE);
  // CK_ULONG in the machine's order: little-endian wherever Node runs; these numbers fit into its first octet.
  if (type![0] === api.CKK_RSA) {
    const [modulus, exponent] = attributes(api.CKA_MODULUS, api.CKA_PUBLIC_EXPONENT);
    return rsaPublicKey(modulus!, exponent!);
  }
  if (type![0] !== api.CKK_EC) throw new Fault('no-key', 'the key is neither RSA nor EC');
  const [parameters, point] = attributes(api.CKA_EC_PARAMS, api.CKA_EC_POINT);
  return ecPublicKey(parameters!, point!);
}

/** A pair that can't leave the token. */
function generate(from: Loaded, handle: Pkcs11.Handle, job: TokenJob & { kind: 'generate' }): Uint8Array {
  const { api, module } = from;
  for (const kind of job.another ? [] : (['public', 'private'] as const)) {
    if (find(from, handle, kind, job.key).length > 0) {
      throw new Fault('exists', `there is a key “${job.key}” on token “${job.token}”; nothing is ever overwritten`);
    }
  }
  const { algorithm } = job;
  const rsa = algorithm === 'rsa-sha256' || algorithm === 'rsa-4096';
  const common = [
    { type: api.CKA_TOKEN, value: true },
    { type: api.CKA_LABEL, value: job.key },
    { type: api.CKA_ID, value: randomBytes(16) },
  ];
  const pair = module.C_GenerateKeyPair(
    handle,
    { mechanism: rsa ? api.CKM_RSA_PKCS_KEY_PAIR_GEN : api.CKM_EC_KEY_PAIR_GEN },
    [
      ...common,
      { type: api.CKA_PRIVATE, value: false },
      { type: api.CKA_VERIFY, value: true },
      ...(algorithm === 'rsa-sha256' || algorithm === 'rsa-4096'
        ? [
            { type: api.CKA_MODULUS_BITS, value: rsaBits(algorithm) },
            { type: api.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
          ]
        : [{ type: api.CKA_EC_PARAMS, value: Buffer.from(curveParameters(algorithm)) }]),
    ],
    [
      ...common,
      { type: api.CKA_PRIVATE, value: true },
      { type: api.CKA_SENSITIVE, value: true },
      { type: api.CKA_EXTRACTABLE, value: false },
      { type: api.CKA_SIGN, value: true },
    ],
  );
  return publicKey(from, handle, pair.publicKey);
}

function perform(job: TokenJob): Uint8Array {
  loaded ??= load(process.argv[2]!);
  const handle = open(loaded, job);
  if (job.kind === 'publicKey') return publicKey(loaded, handle, publicHandle(loaded, handle, job, job.publicKey));
  if (job.kind === 'generate') return generate(loaded, handle, job);
  const { api, module } = loaded;
  const key = privateHandle(loaded, handle, job);
  module.C_SignInit(handle, { mechanism: job.rsa ? api.CKM_RSA_PKCS : api.CKM_ECDSA }, key);
  return new Uint8Array(module.C_Sign(handle, Buffer.from(job.input), Buffer.alloc(1024)));
}

function outcomeOf(job: TokenJob): TokenOutcome {
  try {
    return { value: perform(job) };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.fault, detail: error.message };
    return { fault: 'unavailable', detail: `token “${job.token}” can't be used: ${messageOf(error)}` };
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

process.on('message', (job: TokenJob) => process.send?.(outcomeOf(job)));
process.on('disconnect', () => process.exit());
