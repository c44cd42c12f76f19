using Microsoft.Playwright;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>The distribution's headless Chromium, driven by Playwright; no browser is downloaded.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] s_arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Where Chromium is: <c>BREAKWATER_CHROMIUM</c>, else where Debian's package puts it.</summary>
    public static string Executable =>
        Environment.GetEnvironmentVariable("BREAKWATER_CHROMIUM") is { Length: > 0 } named ? named : "/usr/bin/chromium";

    /// <summary>Starts it. A missing Chromium fails the test: a page that nobody has looked at is not shown to work.</summary>
    public static async Task<Browser> StartAsync()
    {
        Assert.True(
            File.Exists(Executable),
            $"There is no Chromium at {Executable}. Install it (as root: apt-get update && apt-get install -y --no-install-recommends "
            + $"chromium), or name one in BREAKWATER_CHROMIUM.");
        IPlaywright playwright = await Playwright.CreateAsync();
        return new Browser(playwright,
            await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Executable, Args = s_arguments }));
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
