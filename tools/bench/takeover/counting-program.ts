/** The program that every contestant runs. */
import { fileURLToPath } from 'node:url';

export const countingProgram = fileURLToPath(new URL('../programs/counting-output.js', import.meta.url));

/** Between two numbers of it. */
export const countingIntervalMs = 5;
