"""The till: receipts from POSLog XML and delimited drops in a watched folder, and members from the till's export."""
