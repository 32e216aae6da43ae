/** Why a program could not be bundled. All of these are faults of the program or its installation. */
export type BundleErrorCode =
  /** The program's file is not there or cannot be read. */
  | 'BUNDLE_NOT_FOUND'
  /** A file is not valid JavaScript, TypeScript or JSON. */
  | 'BUNDLE_SYNTAX'
  /** An import names something that is not installed. */
  | 'BUNDLE_UNRESOLVED';

/** Where in the program's files the fault is: path relative to the project, line and column from 1. */
export interface BundlePlace {
  file: string;
  line: number;
  column: number;
}

/** The one error of `bundleProgram`. `code` is stable; the message is for people and names the remedy. */
export class BundleError extends Error {
  readonly code: BundleErrorCode;
  readonly place: BundlePlace | null;
  /** For BUNDLE_UNRESOLVED: the module that was asked for. */
  readonly module: string | null;

  constructor(
    code: BundleErrorCode,
    message: string,
    options: { place?: BundlePlace | null; module?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'BundleError';
    this.code = code;
    this.place = options.place ?? null;
    this.module = options.module ?? null;
  }
}
