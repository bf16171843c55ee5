// A rate limiter that lets everything pass: a bare workerd has none of its own, and the bench comes from one address.
class Ratelimit {
  limit() {
    return Promise.resolve({ success: true });
  }
}

export default () => new Ratelimit();
