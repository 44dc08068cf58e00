"""Google: the token endpoint and Sheets v4, over spreadsheets in memory."""
