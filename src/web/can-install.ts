/**
 * Says in one sentence that npm runs on a Node.js that is too old, where the build would end in a page of errors: such an
 * npm leaves the parts out that the build needs. Run by `npm ci`, where `node` is the pinned one already.
 */
const NEEDED = 20;
const [, major] = /\bnode\/v(\d+)\./.exec(process.env.npm_config_user_agent ?? '') ?? [];
if (major !== undefined && Number(major) < NEEDED) {
  console.error(`
Signpost's npm ci needs Node.js ${NEEDED} or newer; this npm runs on Node.js ${major} (Debian 12's own).
Get a newer one from https://nodejs.org or deb.nodesource.com, then run npm ci again. Nothing else of it is used later.
`);
  process.exitCode = 1;
}
