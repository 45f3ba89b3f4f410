/** What is wrong with a command as it was given; errors of the guest are GuestlessErrors as everywhere. */
export class ShellError extends Error {
  /** The line that it comes from begins with `-`. */
  forgiven = false;

  constructor(message: string) {
    super(message);
    this.name = 'ShellError';
  }
}

/** Something failed, and it was said already. */
export class AlreadyTold extends ShellError {
  constructor() {
    super('it failed, as was said before');
  }
}
