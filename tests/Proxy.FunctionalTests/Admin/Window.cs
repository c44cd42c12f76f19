using Microsoft.Playwright;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>
/// A page, with what its console and its network said. One that is left open goes on drawing beside the tests that follow.
/// </summary>
internal sealed class Window : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<string> _errors = [];          // guarded by _gate
    private readonly HashSet<string> _authorities = [];  // guarded by _gate

    public Window(IPage page)
    {
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                Note($"{message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => Note(error);
        page.Request += (_, request) =>
        {
            lock (_gate)
            {
                _authorities.Add(new Uri(request.Url).Authority);
            }
        };
        page.SetDefaultTimeout(60_000);
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>What the console said of errors so far.</summary>
    public string[] Errors
    {
        get
        {
            lock (_gate)
            {
                return [.. _errors];
            }
        }
    }

    /// <summary>Hosts with ports that the page asked so far.</summary>
    public string[] Authorities
    {
        get
        {
            lock (_gate)
            {
                return [.. _authorities];
            }
        }
    }

    /// <summary>By how many pixels the content is wider than the window.</summary>
    public Task<int> OverflowAsync() =>
        Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");

    /// <summary>Saves what the window shows, for people, beside the test's assembly.</summary>
    public Task SaveAsync(string name) =>
        Page.ScreenshotAsync(
        new PageScreenshotOptions { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", name + ".png"), FullPage = true });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();

    private void Note(string error)
    {
        lock (_gate)
        {
            _errors.Add(error);
        }
    }
}
