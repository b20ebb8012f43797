/**
 * A self-signed certificate for `localhost`, `target.test` and 127.0.0.1, valid for a hundred years, and its key. For
 * tests only: the key is public, so nothing else may ever trust it.
 */
export const testCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBqDCCAU6gAwIBAgIUGbeYBL1HJpKdGjA7+9oXfciR2RcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzA5MzkzNloYDzIxMjYxMDMw
MDkzOTM2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARDCZhhYj3q77zg56OctbZHa5HAD8UkaXj8O7bib05Vf840JK5C//9v
gymxsUcxY49BMXJQHiu1u0ZnXkfeeOoTo3wwejAdBgNVHQ4EFgQUm0SK4X6Qd5fE
7wyq4r0iapkI4nwwHwYDVR0jBBgwFoAUm0SK4X6Qd5fE7wyq4r0iapkI4nwwJwYD
VR0RBCAwHoIJbG9jYWxob3N0ggt0YXJnZXQudGVzdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDMnYg/C6/RmhJitpf7tCtuKN/m9zUtq
ofCH9CRuAo+RAiEA7Ma6Cev2dlLNd9rFawhQ1kyO9GXoJ6ZZwV3ifLOYPZQ=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZcdvftyZ+W3mCJXV
pquKtS03L76OGamed+YugFZj9smhRANCAARDCZhhYj3q77zg56OctbZHa5HAD8Uk
aXj8O7bib05Vf840JK5C//9vgymxsUcxY49BMXJQHiu1u0ZnXkfeeOoT
-----END PRIVATE KEY-----
`,
};
