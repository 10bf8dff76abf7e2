// Stands in for react-style-singleton, through which Radix's dialogs lock scrolling. The original writes a <style>
// element, which the page's Content-Security-Policy refuses; a constructed style sheet does the same within it.
import { useEffect } from 'react';

/** One style sheet over all its users: the first one's styles apply until the last one leaves. */
export function stylesheetSingleton() {
  let users = 0;
  let sheet;
  return {
    add(styles) {
      if (users++ > 0) return;
      sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    },
    remove() {
      if (--users > 0) return;
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    },
  };
}

/** A component that applies its `styles` while mounted, renewed when they change only if `dynamic`. */
export function styleSingleton() {
  const sheet = stylesheetSingleton();
  return function Sheet({ styles, dynamic }) {
    useEffect(() => {
      sheet.add(styles);
      return () => sheet.remove();
    }, [styles && dynamic]);
    return null;
  };
}
