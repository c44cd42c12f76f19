namespace Breakwater.Proxy.Admin;

/// <summary>
/// A room that answers on the admin port. Register it with <c>services.AddSingleton&lt;IAdminRoom, …&gt;()</c>; its handlers are its own methods, what
/// they need comes in by its constructor.
/// </summary>
internal interface IAdminRoom
{
    /// <summary>Maps the room's endpoints; called once, before the port opens.</summary>
    void Map(AdminApi admin);
}

/// <summary>
/// The endpoints below <c>/api/v1/</c> of the admin port. Handlers are minimal-API delegates: what they return is written as JSON (camelCase, enums by
/// name), an <c>IAsyncEnumerable</c> item by item. A mistake of the caller is an <see cref="AdminProblem"/>.
/// </summary>
internal sealed class AdminApi(RouteGroupBuilder routes)
{
    private readonly List<string> _reads = [];
    private readonly List<string> _actions = [];

    /// <summary>Paths mapped by <see cref="Read"/>.</summary>
    public IReadOnlyList<string> Reads => _reads;

    /// <summary>Paths mapped by <see cref="Action"/> and <see cref="Upload"/>.</summary>
    public IReadOnlyList<string> Actions => _actions;

    /// <summary>GET: status that changes nothing. Open to <c>Admin:Readers</c>, to others with the token.</summary>
    public void Read(string path, Delegate handler)
    {
        routes.MapGet(path, handler);
        _reads.Add(path);
    }

    /// <summary>POST: an action. Needs the token.</summary>
    public void Action(string path, Delegate handler)
    {
        routes.MapPost(path, handler);
        _actions.Add(path);
    }

    /// <summary>DELETE: an action. Needs the token.</summary>
    public void Remove(string path, Delegate handler) => routes.MapDelete(path, handler);

    /// <summary>POST with a body of any length, to be read from <c>HttpRequest.Body</c> as it comes. Needs the token.</summary>
    public void Upload(string path, Delegate handler)
    {
        routes.MapPost(path, handler).WithMetadata(AnyBodyLength.Instance);
        _actions.Add(path);
    }

    /// <summary>Endpoint metadata: no limit on the request's body.</summary>
    internal sealed class AnyBodyLength
    {
        public static readonly AnyBodyLength Instance = new();
    }
}

/// <summary>The answer to a call that cannot be done: what is wrong, and what to do next.</summary>
/// <param name="Error">One sentence, for people.</param>
/// <param name="Next">What to do next; null when the sentence says it.</param>
internal sealed record AdminProblem(string Error, string? Next = null)
{
    /// <summary>As an endpoint's result.</summary>
    /// <param name="status">4xx for the caller's mistakes, 5xx for ours.</param>
    public IResult Result(int status = StatusCodes.Status400BadRequest) => Results.Json(this, statusCode: status);
}
