/** A gate with a way through. */
export const Logo = () => (
  <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 21V10a9 9 0 0 1 18 0v11h-5V10.5a4 4 0 0 0-8 0V21z" />
  </svg>
);
