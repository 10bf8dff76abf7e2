package main

import (
	"context"
	"net/http"

	"github.com/Khan/genqlient/graphql"
	"github.com/coder/websocket"
)

// dial opens the connection that genqlient subscribes over.
type dial struct{}

func (dial) DialContext(ctx context.Context, url string, header http.Header) (graphql.WSConn, error) {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return nil, err
	}
	return connection{conn}, nil
}

type connection struct{ conn *websocket.Conn }

func (c connection) ReadMessage() (int, []byte, error) {
	kind, message, err := c.conn.Read(context.Background()) // until Close
	return int(kind), message, err
}

func (c connection) WriteMessage(kind int, message []byte) error {
	if kind != int(websocket.MessageText) {
		return nil // a close frame, which Close sends
	}
	return c.conn.Write(context.Background(), websocket.MessageText, message)
}

func (c connection) Close() error { return c.conn.Close(websocket.StatusNormalClosure, "") }
