/** Who may write to the Hub in use, as far as the page can tell. */
import { READ_SCOPES } from '@/hub/search/hub-find';
import { type SignInState } from './sign-in';

/**
 * Asked for where something is uploaded: repos that this app makes, and no others
 * (https://huggingface.co/docs/hub/oauth, "Currently supported scopes").
 */
export const WRITE_SCOPES: readonly string[] = [...READ_SCOPES, 'contribute-repos'];

/** Any of these lets an upload through. */
const WRITING: readonly string[] = ['contribute-repos', 'write-repos', 'manage-repos'];

/**
 * `signed-in`: the sign-in covers uploads. `read-only`: it does not. `token`: one was pasted, and
 * only the Hub knows what it may do. `waiting`: a sign-in is not answered yet. `none`: nobody is known.
 */
export type WriteAccess = 'signed-in' | 'read-only' | 'token' | 'waiting' | 'none';

export function writeAccess(signIn: SignInState, accessToken: string): WriteAccess {
  if (signIn.status === 'in') {
    return signIn.scopes.some((scope) => WRITING.includes(scope)) ? 'signed-in' : 'read-only';
  }
  // The token of before may be there still, and may not be enough.
  if (signIn.status === 'waiting') return 'waiting';
  return accessToken === '' ? 'none' : 'token';
}
