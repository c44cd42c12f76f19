namespace Breakwater.Proxy.Admin;

/// <summary>
/// The endpoints below <c>/api/v1/</c> of the admin port. Handlers are minimal-API delegates: what they return is written as JSON
/// (camelCase, enums by name), an <c>IAsyncEnumerable</c> item by item. A mistake of the caller is an <see cref="AdminProblem"/>. Each says
/// in one sentence what it does, and what type it answers with where the handler's own does not tell: <see cref="ApiDocument"/> is made of
/// it.
/// </summary>
internal sealed class AdminApi(RouteGroupBuilder routes, IEndpointRouteBuilder root)
{
    private const string Base = "/api/v1/";

    private readonly List<string> _reads = [];
    private readonly List<string> _actions = [];
    private readonly List<ApiOperation> _operations = [];

    /// <summary>Paths mapped by <see cref="Read"/>.</summary>
    public IReadOnlyList<string> Reads => _reads;

    /// <summary>Paths mapped by <see cref="Action"/> and <see cref="Upload"/>.</summary>
    public IReadOnlyList<string> Actions => _actions;

    /// <summary>All that can be asked.</summary>
    public IReadOnlyList<ApiOperation> Operations => _operations;

    /// <summary>GET: status that changes nothing. Open to <c>Admin:Readers</c>, to others with the token.</summary>
    public void Read(string path, string says, Delegate handler, Type? answers = null)
    {
        routes.MapGet(path, handler).AddEndpointFilter(ChangedReads.TagAsync);
        _reads.Add(path);
        Note("GET", path, says, handler, answers);
    }

    /// <summary>GET: as <see cref="Read"/>, at a path that others than this API chose.</summary>
    /// <param name="path">From the root.</param>
    /// <param name="handler">Answers.</param>
    public void Page(string path, Delegate handler) => root.MapGet(path, handler);

    /// <summary>POST: an action. Needs the token.</summary>
    public void Action(string path, string says, Delegate handler, Type? answers = null)
    {
        routes.MapPost(path, handler);
        _actions.Add(path);
        Note("POST", path, says, handler, answers);
    }

    /// <summary>POST: signs in. Needs nothing, and is no action that a page offers.</summary>
    public void SignIn(string path, string says, Delegate handler, Type answers)
    {
        routes.MapPost(path, handler);
        _operations.Add(new ApiOperation("POST", Base + path, says, handler.Method, answers, IsOpen: true));
    }

    /// <summary>DELETE: an action. Needs the token.</summary>
    public void Remove(string path, string says, Delegate handler, Type? answers = null)
    {
        routes.MapDelete(path, handler);
        Note("DELETE", path, says, handler, answers);
    }

    /// <summary>POST with a body of any length, to be read from <c>HttpRequest.Body</c> as it comes. Needs the token.</summary>
    public void Upload(string path, string says, Delegate handler, Type? answers = null)
    {
        routes.MapPost(path, handler).WithMetadata(AnyBodyLength.Instance);
        _actions.Add(path);
        _operations.Add(new ApiOperation("POST", Base + path.TrimStart('/'), says, handler.Method, answers, TakesFile: true));
    }

    private void Note(string method, string path, string says, Delegate handler, Type? answers) =>
        _operations.Add(new ApiOperation(method, Base + path.TrimStart('/'), says, handler.Method, answers));

    /// <summary>Endpoint metadata: no limit on the request's body.</summary>
    internal sealed class AnyBodyLength
    {
        public static readonly AnyBodyLength Instance = new();
    }
}
