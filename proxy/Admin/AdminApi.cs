namespace Breakwater.Proxy.Admin;

/// <summary>
/// The endpoints below <c>/api/v1/</c> of the admin port. Handlers are minimal-API delegates: what they return is written as JSON
/// (camelCase, enums by name), an <c>IAsyncEnumerable</c> item by item. A mistake of the caller is an <see cref="AdminProblem"/>.
/// </summary>
internal sealed class AdminApi(RouteGroupBuilder routes, IEndpointRouteBuilder root)
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
        routes.MapGet(path, handler).AddEndpointFilter(ChangedReads.TagAsync);
        _reads.Add(path);
    }

    /// <summary>GET: as <see cref="Read"/>, at a path that others than this API chose.</summary>
    /// <param name="path">From the root.</param>
    /// <param name="handler">Answers.</param>
    public void Page(string path, Delegate handler) => root.MapGet(path, handler);

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
