//! INSi, the national identity teleservice: client and twin.
