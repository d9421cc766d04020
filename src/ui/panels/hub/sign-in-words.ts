/** Said while a sign-in is waited for: the page can not see what the Hub shows in its window. */
export const IF_IT_FAILS =
  'If it shows an error in the place of a question, close that window and cancel here; then sign in again, or paste an access token.';
