//! MSSanté: secure health mail, client and twin operator.
