/** Composition root: starts the worker, wires the stores to it and mounts the page. */
import '@/ui/tokens.css';
import '@/ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startPage } from '@/store/actions/start';
import { App } from '@/ui/app';
import { connectWorker } from '@/worker/client';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root to mount the page in');

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

void startPage(connectWorker(), {
  get search() {
    return location.search;
  },
  replace(search) {
    history.replaceState(null, '', search + location.hash);
  },
});
