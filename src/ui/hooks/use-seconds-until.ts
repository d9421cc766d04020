import { useEffect, useState } from 'react';

/** Whole seconds until a time in ms since 1970, counted down on the page; 0 from then on. */
export function useSecondsUntil(timeMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return Math.max(0, Math.ceil((timeMs - now) / 1000));
}
