/** Every point of checkpoints and restoring at which a test may stop the process, in the order of the work. */
export const stateProbePoints = [
  'restore.verified',
  'restore.loaded',
  'restore.rebuilt',
  'checkpoint.cut',
  'checkpoint.before-files',
  'checkpoint.after-copies',
  'checkpoint.after-files',
  'checkpoint.before-manifest',
  'checkpoint.after-manifest',
  'checkpoint.after-remove',
  'checkpoint.before-merge',
  'checkpoint.after-merge',
  'checkpoint.applying',
  'checkpoint.applied',
] as const
