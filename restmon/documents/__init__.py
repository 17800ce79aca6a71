"""One finding, many papers: PDF, workbook, status page, badge."""
