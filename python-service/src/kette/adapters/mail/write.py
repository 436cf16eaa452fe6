def write_mail(kernel, tx, row, file):
    return {"to": file.order.billing.email, "subject": row.key, "html": "", "text": ""}
