/** Classes of an energy surprise: −7 or less to 7 or more. */
const ENERGY_CLASSES = 15;

// How far band levels lie from the frame before, in steps of 6 dB, in sound of many kinds. First channel: rows by the
// surprise of the band below (−2 or less to 2 or more). Second channel: rows by the first channel's surprise.
// biome-ignore format: one row per context
const ENERGY_ROWS = [
  0.012, 0.014, 0.04, 0.09, 0.17, 0.28, 0.22, 0.12, 0.03, 0.01, 0.005, 0.003, 0.002, 0.002, 0.002,
  0.004, 0.005, 0.007, 0.01, 0.02, 0.07, 0.27, 0.464, 0.12, 0.015, 0.005, 0.003, 0.003, 0.002, 0.002,
  0.003, 0.004, 0.005, 0.008, 0.012, 0.03, 0.15, 0.6, 0.14, 0.025, 0.009, 0.005, 0.004, 0.003, 0.002,
  0.002, 0.002, 0.003, 0.004, 0.006, 0.02, 0.13, 0.46, 0.28, 0.06, 0.015, 0.008, 0.005, 0.003, 0.002,
  0.002, 0.002, 0.003, 0.004, 0.006, 0.01, 0.035, 0.118, 0.18, 0.22, 0.15, 0.12, 0.07, 0.045, 0.035,
  0.03, 0.03, 0.06, 0.12, 0.2, 0.46, 0.05, 0.024, 0.01, 0.005, 0.003, 0.002, 0.002, 0.002, 0.002,
  0.002, 0.002, 0.003, 0.005, 0.01, 0.05, 0.76, 0.13, 0.02, 0.006, 0.004, 0.002, 0.002, 0.002, 0.002,
  0.002, 0.002, 0.002, 0.003, 0.004, 0.01, 0.06, 0.83, 0.06, 0.012, 0.005, 0.003, 0.003, 0.002, 0.002,
  0.002, 0.002, 0.002, 0.003, 0.004, 0.006, 0.02, 0.13, 0.76, 0.05, 0.01, 0.005, 0.002, 0.002, 0.002,
  0.002, 0.002, 0.002, 0.003, 0.004, 0.006, 0.015, 0.03, 0.05, 0.45, 0.2, 0.12, 0.06, 0.03, 0.026,
];

/** The probability of a surprise's class, 0 to 14, in one of the ten contexts of a frame that follows a known one. */
export function energyPrior(context: number, surpriseClass: number): number {
  return ENERGY_ROWS[context * ENERGY_CLASSES + surpriseClass] ?? 0.001;
}

/** Classes of an angle: 0, sixteen parts, and the largest. */
const ANGLE_CLASSES = 18;

// How energy divides between the halves of a band in sound of many kinds; rows by log2 of the resolution, less one.
// biome-ignore format: one row per resolution
const SPLIT_ROWS = [
  0.1, 0.4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1,
  0.031, 0.046, 0.275, 0.465, 0.135, 0.023, 0.005, 0.005, 0.002, 0.002, 0, 0, 0, 0, 0, 0, 0, 0.01,
  0.03, 0.025, 0.058, 0.14, 0.21, 0.17, 0.124, 0.089, 0.058, 0.039, 0.022, 0.013, 0.007, 0.003, 0.002, 0.002, 0.001, 0.006,
  0.008, 0.018, 0.018, 0.026, 0.044, 0.098, 0.127, 0.15, 0.137, 0.168, 0.084, 0.057, 0.03, 0.018, 0.008, 0.004, 0.002, 0.003,
  0.006, 0.02, 0.02, 0.03, 0.05, 0.083, 0.128, 0.15, 0.145, 0.15, 0.091, 0.058, 0.031, 0.018, 0.009, 0.005, 0.003, 0.003,
  0.01, 0.03, 0.029, 0.042, 0.058, 0.076, 0.09, 0.1, 0.088, 0.098, 0.085, 0.084, 0.065, 0.058, 0.046, 0.026, 0.01, 0.005,
  0.015, 0.04, 0.034, 0.038, 0.044, 0.052, 0.06, 0.062, 0.065, 0.066, 0.066, 0.074, 0.077, 0.094, 0.1, 0.068, 0.035, 0.01,
  0.02, 0.12, 0.06, 0.056, 0.05, 0.052, 0.058, 0.045, 0.047, 0.053, 0.06, 0.058, 0.053, 0.053, 0.05, 0.068, 0.04, 0.02,
];

/** The probability of a split angle's class, 0 to 17, at a resolution index 0 to 7. */
export function splitAnglePrior(resolution: number, angleClass: number): number {
  return Math.max(0.001, SPLIT_ROWS[resolution * ANGLE_CLASSES + angleClass] ?? 0);
}

/** The probability of a stereo angle's class, 0 to 17: much of what is recorded is nearly mono. */
export function stereoAnglePrior(angleClass: number): number {
  if (angleClass === 0) return 0.6;
  return angleClass <= 2 ? 0.1 : 0.0133;
}
