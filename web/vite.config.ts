import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: {
    // A strict content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // hls.js, which only the page of an HLS job loads.
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: Object.fromEntries(["/v1", "/scan-now", "/repair"].map((path) => [path, "http://127.0.0.1:8080"])),
  },
});
