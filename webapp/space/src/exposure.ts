export interface Contribution {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly role: string;
  readonly minutes: number;
  readonly revision: number;
  readonly gone: boolean;
}
