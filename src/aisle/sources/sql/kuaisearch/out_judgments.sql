SELECT relevance.query, labelled_items.product_id, relevance.grade
FROM relevance JOIN labelled_items USING (text_id)
ORDER BY relevance.number
