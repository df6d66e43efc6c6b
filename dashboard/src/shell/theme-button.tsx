import { Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from '../ui/button.tsx';

const THEMES = ['system', 'light', 'dark'] as const;

type Theme = (typeof THEMES)[number];

const ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

/** Steps through system, light and dark; `theme.js` puts the choice on the page before its first paint. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(() => THEMES.find((each) => each === stored()) ?? 'system');
  const Icon = ICONS[theme];
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  const step = (): void => {
    window.localStorage.setItem('apportion-theme', next);
    window.dispatchEvent(new Event('apportion-theme'));
    setTheme(next);
  };
  return (
    <IconButton aria-label={`Theme: ${theme}. Switch to ${next}`} onClick={step}>
      <Icon aria-hidden className="size-4" />
    </IconButton>
  );
}

function stored(): string | null {
  return window.localStorage.getItem('apportion-theme');
}
