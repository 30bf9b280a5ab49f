import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: [
      { find: /^reprise\/testing$/, replacement: new URL('./testing.ts', import.meta.url).pathname },
      { find: /^reprise$/, replacement: new URL('./index.ts', import.meta.url).pathname },
    ],
  },
  // Not isolated: the modules of a worker are loaded once, not once for each file of tests, which is a third of the time of `npm run check`.
  test: { include: ['test/**/*.test.ts'], isolate: false, maxWorkers: '100%', testTimeout: 60_000, hookTimeout: 60_000 },
})
