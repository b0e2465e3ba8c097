import { useEffect, useState } from "react";
import { Button } from "./button.tsx";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const ICONS = { system: "screen", light: "sun", dark: "moon" } as const;
const STORED = "reelmill.theme";

/** Chooses between the system's colours, light and dark. */
export function ThemeToggle() {
  const [theme, setTheme] = useState<Theme>(readTheme);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    try {
      localStorage.setItem(STORED, theme);
    } catch {
      // Storage is forbidden by the browser's settings: the choice lasts until the page is left.
    }
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  return (
    <Button
      kind="quiet"
      icon={ICONS[theme]}
      label={`Colours: ${theme}. Switch to ${next}`}
      onClick={() => setTheme(next)}
    />
  );
}

function readTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(STORED)) ?? "system";
  } catch {
    // As above.
    return "system";
  }
}
