import { createContext, type ReactNode, use, useCallback, useState } from "react";

const AnnounceContext = createContext<(message: string) => void>(() => undefined);

/** Reads messages out to those who do not see the page; use it sparsely. */
export function useAnnounce(): (message: string) => void {
  return use(AnnounceContext);
}

/** Holds the place from which messages are read out. */
export function Announcer({ children }: { readonly children: ReactNode }) {
  const [message, setMessage] = useState({ text: "", turn: 0 });
  const announce = useCallback((text: string) => setMessage(({ turn }) => ({ text, turn: turn + 1 })), []);
  return (
    <AnnounceContext value={announce}>
      {children}
      <div className="visually-hidden" role="status" aria-live="polite">
        {/* A new element, so that the same words are read out again. */}
        <span key={message.turn}>{message.text}</span>
      </div>
    </AnnounceContext>
  );
}
