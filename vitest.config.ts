import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: [
      { find: /^reprise\/testing$/, replacement: new URL('./testing.ts', import.meta.url).pathname },
      { find: /^reprise$/, replacement: new URL('./index.ts', import.meta.url).pathname },
    ],
  },
  test: { include: ['test/**/*.test.ts'], maxWorkers: '100%', testTimeout: 60_000, hookTimeout: 60_000 },
})
