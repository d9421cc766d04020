/** The dedicated worker: everything but drawing happens here. */
import { expose } from 'comlink';
import { createSession } from './session';

expose(createSession());
