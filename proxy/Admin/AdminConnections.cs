using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// The connections of the admin port: when there are too many, the one that was idle longest goes, so that nobody closes the port to others
/// by holding connections. Thread-safe.
/// </summary>
/// <param name="most">Connections at a time.</param>
internal sealed class AdminConnections(int most)
{
    private readonly HashSet<Held> _held = [];   // guarded by _gate
    private readonly Lock _gate = new();

    /// <summary>The connection delegate around the next one.</summary>
    public ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        var held = new Held(connection);
        connection.Features.Set(held);
        MakeRoom(held)?.Connection.Abort(new ConnectionAbortedException("Others need the connection, and it was idle longest."));
        try
        {
            await next(connection);
        }
        finally
        {
            lock (_gate)
            {
                _held.Remove(held);
            }
        }
    };

    /// <summary>A request has begun or ended on its connection.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isActing">It is an operator's action under way: not cut for others' sake.</param>
    public void Note(HttpContext context, bool isActing)
    {
        if (context.Features.Get<Held>() is { } held)
        {
            lock (_gate)
            {
                held.UsedAt = Environment.TickCount64;
                held.IsActing = isActing;
            }
        }
    }

    /// <summary>Takes it in; gives back the one that has to go for it, if any. An open stream counts from its beginning.</summary>
    private Held? MakeRoom(Held held)
    {
        lock (_gate)
        {
            Held? oldest = _held.Count < most ? null : _held.Where(h => !h.IsActing).MinBy(h => h.UsedAt);
            if (oldest is not null)
            {
                _held.Remove(oldest);
            }

            _held.Add(held);
            return oldest;
        }
    }

    /// <summary>A connection; its properties are guarded by the gate.</summary>
    private sealed class Held(ConnectionContext connection)
    {
        public ConnectionContext Connection => connection;

        public long UsedAt { get; set; } = Environment.TickCount64;

        public bool IsActing { get; set; }
    }
}
