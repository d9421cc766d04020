import 'react';

declare module 'react' {
  /** Custom properties may be set through React's style prop, which writes them by CSSOM. */
  interface CSSProperties {
    [property: `--${string}`]: string | number | undefined;
  }
}
