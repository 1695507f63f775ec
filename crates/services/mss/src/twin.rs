//! We are an operator of the espace de confiance MSSanté: SMTP submission, IMAP, a page.
