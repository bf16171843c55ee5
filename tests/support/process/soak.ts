// How much the tests with many of something do. `npm run soak` sets the variable; `npm test` is to be quick.

const soak = process.env.SALLYPORT_SOAK === "1";

export const MANY_ACCOUNTS = soak ? 1500 : 60;
