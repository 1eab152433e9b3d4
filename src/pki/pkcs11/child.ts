/**
 * The child process that holds a PKCS#11 module, one job at a time: vendors' code runs in its memory, not in the gateway's.
 * Started by Token only; argument: the module's path. It never recovers from a failed token: it says so, and is replaced.
 */
import { createRequire } from 'node:module';
import type * as Pkcs11 from 'pkcs11js';
import type { TokenFault, TokenJob, TokenOutcome } from './protocol.ts';
import { curveParameters, ecPublicKey, rsaPublicKey } from './public-key.ts';

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

function find({ api, module }: Loaded, handle: Pkcs11.Handle, kind: 'public' | 'private', label: string) {
  module.C_FindObjectsInit(handle, [
    { type: api.CKA_CLASS, value: kind === 'public' ? api.CKO_PUBLIC_KEY : api.CKO_PRIVATE_KEY },
    { type: api.CKA_LABEL, value: label },
  ]);
  try {
    return module.C_FindObjects(handle, 2);
  } finally {
    module.C_FindObjectsFinal(handle);
  }
}

function one(from: Loaded, handle: Pkcs11.Handle, kind: 'public' | 'private', { token, key }: TokenJob): Pkcs11.Handle {
  const [found, ...others] = find(from, handle, kind, key);
  if (!found) throw new Fault('no-key', `there is no ${kind} key “${key}” on token “${token}”`);
  if (others.length > 0) throw new Fault('no-key', `several keys on token “${token}” are called “${key}”`);
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
  for (const kind of ['public', 'private'] as const) {
    if (find(from, handle, kind, job.key).length > 0) {
      throw new Fault('exists', `there is a key “${job.key}” on token “${job.token}”; nothing is ever overwritten`);
    }
  }
  const rsa = job.algorithm === 'rsa-sha256';
  const common = [
    { type: api.CKA_TOKEN, value: true },
    { type: api.CKA_LABEL, value: job.key },
    { type: api.CKA_ID, value: Buffer.from(job.key) },
  ];
  const pair = module.C_GenerateKeyPair(
    handle,
    { mechanism: rsa ? api.CKM_RSA_PKCS_KEY_PAIR_GEN : api.CKM_EC_KEY_PAIR_GEN },
    [
      ...common,
      { type: api.CKA_PRIVATE, value: false },
      { type: api.CKA_VERIFY, value: true },
      ...(job.algorithm === 'rsa-sha256'
        ? [
            { type: api.CKA_MODULUS_BITS, value: 3072 },
            { type: api.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
          ]
        : [{ type: api.CKA_EC_PARAMS, value: Buffer.from(curveParameters(job.algorithm)) }]),
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
  if (job.kind === 'publicKey') return publicKey(loaded, handle, one(loaded, handle, 'public', job));
  if (job.kind === 'generate') return generate(loaded, handle, job);
  const { api, module } = loaded;
  const key = one(loaded, handle, 'private', job);
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
