import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const OUT = fileURLToPath(new URL('../../dist/web/', import.meta.url));
const PDFJS = fileURLToPath(new URL('../../node_modules/pdfjs-dist/', import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: OUT,
    emptyOutDir: true,
    // Assets stay files: the content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    // pdf.js is large and comes only after the first view.
    chunkSizeWarningLimit: 2000,
  },
  plugins: [
    {
      name: 'pdfjs-data',
      // Character maps, the standard fonts and image decoders that pdf.js fetches when a document needs them.
      closeBundle() {
        for (const folder of ['cmaps', 'standard_fonts'])
          cpSync(`${PDFJS}${folder}`, `${OUT}pdfjs/${folder}`, { recursive: true });
        for (const file of ['openjpeg_nowasm_fallback.js', 'jbig2_nowasm_fallback.js'])
          cpSync(`${PDFJS}wasm/${file}`, `${OUT}pdfjs/wasm/${file}`);
      },
    },
  ],
});
