import { useSyncExternalStore } from 'react';

/** Of a chart's texts: their size in pixels and their weight, as SVG attributes. */
export interface TextStyle {
  readonly fontSize: number;
  readonly fontWeight: number;
}

export interface TextSize {
  readonly width: number;
  readonly height: number;
}

export type TextRuler = (text: string, style: TextStyle) => TextSize;

/** Measures texts in pixels as the page draws them; another ruler once a face has arrived. */
export function useTextRuler(): TextRuler {
  return useSyncExternalStore(subscribe, () => ruler);
}

let ruler = newRuler();

function subscribe(onChange: () => void): () => void {
  const renew = (): void => {
    ruler = newRuler();
    onChange();
  };
  document.fonts.addEventListener('loadingdone', renew);
  return () => {
    document.fonts.removeEventListener('loadingdone', renew);
  };
}

const SVG = 'http://www.w3.org/2000/svg';

/** Set in an SVG of its own, which takes no room: a canvas knows no tabular figures. */
function newRuler(): TextRuler {
  return (text, { fontSize, fontWeight }) => {
    const frame = document.createElementNS(SVG, 'svg');
    const line = document.createElementNS(SVG, 'text');
    frame.setAttribute('width', '0');
    frame.setAttribute('height', '0');
    frame.style.position = 'fixed';
    line.setAttribute('font-size', String(fontSize));
    line.setAttribute('font-weight', String(fontWeight));
    line.textContent = text;
    frame.append(line);
    document.body.append(frame);
    const { width, height } = line.getBBox();
    frame.remove();
    return { width, height };
  };
}
