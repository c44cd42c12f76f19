using Breakwater.Laboratory.Client;

namespace Breakwater.Storm.Client;

/// <summary>Who uses a connection; called on its loop's thread.</summary>
internal interface IExchangeOwner
{
    /// <summary>
    /// An exchange has ended. After a failure the connection is closed and of no more use; after a success it may carry the next request at
    /// once, unless it is closed.
    /// </summary>
    void OnEnded(ClientConnection connection, Failure failure);
}
