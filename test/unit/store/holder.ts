/** A process that holds the state lock until it is killed: FOLDER. Part of sqlite.test.ts. */
import { lockState } from '../../../src/store/lock.ts';

lockState(process.argv[2] ?? '');
console.log('locked');
setInterval(() => {}, 60_000);
