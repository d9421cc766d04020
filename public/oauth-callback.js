// Where the Hub sends a person back to: hands the answer to the page that asked, and closes.
// The page that opened this window can not be reached through it (Cross-Origin-Opener-Policy), so
// the answer goes to every page of this site; only the one that knows its `state` can use it.
'use strict';

const CHANNEL = 'peru-sign-in';
const PATIENCE_MS = 4000;

const query = location.search;
const state = new URLSearchParams(query).get('state');
// The code is good for one try, and stands in no history.
history.replaceState(null, '', location.pathname);

const channel = new BroadcastChannel(CHANNEL);

function say(words) {
  const show = () => {
    document.getElementById('words').textContent = words;
  };
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show);
  else show();
}

const forgotten = setTimeout(() => {
  say('No open page of Peru waits for this sign-in. Close this window and sign in again there.');
}, PATIENCE_MS);

channel.addEventListener('message', ({ data }) => {
  if (data?.kind !== 'taken' || data.state !== state) return;
  clearTimeout(forgotten);
  channel.close();
  say('The page has its answer: you can close this window.');
  close();
});

const isError = new URLSearchParams(query).has('error');
if (state === null && !isError) {
  clearTimeout(forgotten);
  say('Nothing is being signed in here. Close this window.');
} else {
  channel.postMessage({ kind: 'answer', query });
}
