using Microsoft.Playwright;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>The distribution's headless Chromium, driven by Playwright; no browser is downloaded.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] s_arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Where Chromium is: <c>BREAKWATER_CHROMIUM</c>, else where Debian's package puts it.</summary>
    public static string Executable => Environment.GetEnvironmentVariable("BREAKWATER_CHROMIUM") is { Length: > 0 } named ? named : "/usr/bin/chromium";

    /// <summary>Starts it. A missing Chromium fails the test: a page that nobody has looked at is not shown to work.</summary>
    public static async Task<Browser> StartAsync()
    {
        Assert.True(
            File.Exists(Executable),
            $"There is no Chromium at {Executable}. Install it (as root: apt-get update && apt-get install -y --no-install-recommends chromium), or name one in BREAKWATER_CHROMIUM.");
        IPlaywright playwright = await Playwright.CreateAsync();
        return new Browser(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Executable, Args = s_arguments }));
    }

    /// <summary>A window of its own, without cookies or storage of others.</summary>
    public async Task<Window> OpenAsync(int width, int height, ColorScheme scheme)
    {
        IBrowserContext context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = scheme,
            IsMobile = width < 600,
            HasTouch = width < 600,
        });
        context.SetDefaultTimeout(30_000);
        return new Window(await context.NewPageAsync());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
    }
}

/// <summary>A page, with what its console and its network said.</summary>
internal sealed class Window
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
        page.SetDefaultTimeout(30_000);
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
    public Task<int> OverflowAsync() => Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");

    /// <summary>Saves what the window shows, for people, beside the test's assembly.</summary>
    public Task SaveAsync(string name) => Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", name + ".png"), FullPage = true });

    private void Note(string error)
    {
        lock (_gate)
        {
            _errors.Add(error);
        }
    }
}
