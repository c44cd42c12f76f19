using System.Text.Json;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>The status page in a real browser while VMs boot.</summary>
public sealed partial class PageTests(PageTests.StormyBrowser shared) : IClassFixture<PageTests.StormyBrowser>
{
    private RunningStorm Storm => shared.Storm;

    [Fact]
    public async Task Page_DuringAStorm_MovesOpensABootAndLetsNothingOut()
    {
        await using Window window = await OpenAsync(1280, 1000, ColorScheme.Light);
        IPage page = window.Page;
        ILocator requests = page.Locator("#t-requests b");
        string before = await requests.InnerTextAsync();
        await Expect(requests).Not.ToHaveTextAsync(before);
        await Expect(page.Locator("#chart canvas")).ToBeVisibleAsync();
        await Expect(page.Locator("#t-booted b")).Not.ToHaveTextAsync("0");
        await Expect(page.Locator("#upstreams")).ToContainTextAsync("answers");
        await Expect(page.Locator("#room-repositories")).ToContainTextAsync("verified");

        await Expect(page.Locator("#t-stratum1s b")).ToHaveTextAsync("1 of 1");
        await Expect(page.Locator("#room-working-sets tbody tr").First).ToContainTextAsync("100.0 %");

        ILocator boot = page.Locator(".boot.done").First;
        string client = await boot.Locator(".name").InnerTextAsync();
        await boot.ClickAsync();
        await Expect(page.Locator("#details")).ToBeVisibleAsync();
        await Expect(page.Locator("#details-title")).ToContainTextAsync("minios.example.org");
        Assert.Matches(Address(), client);
        Assert.InRange(await page.Locator("#details-body tbody tr").CountAsync(), 211, 1500);
        await Expect(page.Locator("#details-body")).ToContainTextAsync("/.cvmfspublished");
        await Expect(page.Locator("#details-body")).ToContainTextAsync("/cvm4/bin/busybox");
        await window.SaveAsync("boot");
        await page.Locator("#details button").ClickAsync();
        await Expect(page.Locator("#details")).ToBeHiddenAsync();

        Assert.Equal((0, 0), (Storm.Tally.WrongBodies, Storm.Tally.Errors));
        Assert.Equal([Storm.AdminAddress.Authority], window.Authorities);
        Assert.Empty(window.Errors);
    }

    [Fact]
    public async Task Boots_FilteredAndSorted_AreThoseAskedForOnOneAxis()
    {
        await using Window window = await OpenAsync(1280, 1000, ColorScheme.Light);
        IPage page = window.Page;
        ILocator first = page.Locator(".boot.done").First;
        await Expect(page.Locator("#storm-rows tr.chosen")).ToHaveCountAsync(1);
        string client = await first.Locator(".name").InnerTextAsync();

        await page.Locator("#boot-client").FillAsync(client + "/32");
        await Expect(page.Locator(".boot")).ToHaveCountAsync(1);
        await Expect(page.Locator("#boot-range")).ToContainTextAsync("1 to 1 of 1");
        Assert.Equal(client, await page.Locator(".boot .name").InnerTextAsync());
        await page.Locator("#boot-client").FillAsync("");
        await page.Locator("#boot-state").SelectOptionAsync("stopped");
        await Expect(page.Locator("#boot-range")).ToContainTextAsync("No boot of this storm is so.");
        await page.Locator("#boot-state").SelectOptionAsync("done");
        await page.Locator("#boot-sort").SelectOptionAsync("oldest");
        await page.WaitForFunctionAsync( // what is drawn now may still be in the order of before
            "(() => { const left = [...document.querySelectorAll('.boot.done .bar')].map(bar => parseFloat(bar.style.left)); "
            + "return left.length > 2 && left.every((at, i) => i === 0 || left[i - 1] <= at); })()");
        Assert.Empty(window.Errors);
    }

    [Fact]
    public async Task Page_ByTheKeyboard_HasActionsFirstAndShowsTheFocus()
    {
        await using Window window = await OpenAsync(1280, 1000, ColorScheme.Light);
        IPage page = window.Page;
        await Expect(page.Locator(".boot.done").First).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator("a.skip").First).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#actions")).ToBeFocusedAsync();
        Assert.True(await page.EvaluateAsync<bool>(
            "!!(document.getElementById('actions').compareDocumentPosition(document.getElementById('boots')) & 4)"));

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator("#token")).ToBeFocusedAsync();
        Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
        await page.Locator("#storms").FocusAsync();
        await Expect(page.Locator("#storms")).ToBeFocusedAsync();
        Assert.Empty(window.Errors);
    }

    [Fact]
    public async Task Tables_At1280Pixels_AreWhollyVisible()
    {
        Storm.Proxy.Store.Pins.Put("warm/a.repository.of.the.lab.example.org/with-a-long-tag", []); // learned sets take their time
        await using Window window = await OpenAsync(1280, 1000, ColorScheme.Light);
        await Expect(window.Page.Locator("#room-store-pins table")).ToBeVisibleAsync();
        await Expect(window.Page.Locator("#room-seeds")).ToBeVisibleAsync();

        string[] cut = await window.Page.EvaluateAsync<string[]>(
            "[...document.querySelectorAll('main .scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.id)");

        Assert.Empty(cut);
    }

    [Fact]
    public async Task Warm_NeedsTheToken_AndFetches()
    {
        await using Window window = await OpenAsync(1280, 1000, ColorScheme.Light);
        IPage page = window.Page;
        ILocator result = page.Locator("#action-result");
        await page.Locator("#action").SelectOptionAsync("warm");
        await page.Locator("#field-repository").FillAsync("minios.example.org");
        await page.Locator("#field-all").CheckAsync();

        await page.Locator("#action-form button").ClickAsync();
        await Expect(result).ToContainTextAsync("Refused");
        await Expect(page.Locator("#room-store-pins")).Not.ToContainTextAsync("warm/minios");
        Assert.Empty(window.Errors);

        await page.Locator("#token").FillAsync("a-wrong-token");
        await page.Locator("#action-form button").ClickAsync();
        await Expect(result).ToContainTextAsync("401");
        Assert.All(window.Errors, error => Assert.Contains("401", error, StringComparison.Ordinal));

        await page.Locator("#token").FillAsync(Storm.Token);
        await page.Locator("#action-form button").ClickAsync();
        await Expect(result).ToContainTextAsync(Done());
        Assert.DoesNotContain("problem", await result.InnerTextAsync(), StringComparison.Ordinal);
        await Expect(page.Locator("#room-store-pins tr", new PageLocatorOptions { HasText = "warm/minios.example.org/newest" }))
            .ToContainTextAsync("100.0 %");
        Assert.Equal([Storm.AdminAddress.Authority], window.Authorities);
        Assert.All(window.Errors, error => Assert.Contains("401", error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reader_FromElsewhere_SignsInActsAndSignsOut()
    {
        using var directory = new TemporaryDirectory();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Admin:TokenFile"] = directory.Combine("admin.token"),
                ["Admin:Readers:0"] = "192.0.2.0/24",
                ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
            },
            null);
        proxy.Store.Pins.Put("warm/a.example.org/nothing", []);
        await using Window window = await shared.Browser.OpenAsync(1280, 900, ColorScheme.Light);
        IPage page = window.Page;
        await page.GotoAsync(proxy.Services.GetRequiredService<AdminServer>().Address!.ToString());
        await Expect(page.Locator("#login")).ToBeVisibleAsync();
        await Expect(page.Locator("#token")).ToBeFocusedAsync();
        await Expect(page.Locator("#plain")).ToBeHiddenAsync();     // 127.0.0.1 needs no TLS
        await window.SaveAsync("login");

        await page.Locator("#token").FillAsync("a-wrong-token");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#problem")).ToContainTextAsync("not the admin token");
        await page.Locator("#token").FillAsync(AdminToken.Read(directory.Combine("admin.token")));
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.Locator("#t-requests b")).ToHaveTextAsync("0");
        await Expect(page.Locator("#t-hit-ratio b")).ToHaveTextAsync("–");
        await Expect(page.Locator("#boot-range")).ToContainTextAsync("No boot was seen yet");
        await Expect(page.Locator("#room-seeds")).ToContainTextAsync("none");
        ILocator pin = page.Locator("#room-store-pins tbody tr");
        await Expect(pin).ToContainTextAsync("nothing"); // 2: a pin of nothing was 100 % complete
        await Expect(pin.Locator("td").Nth(1)).ToHaveTextAsync("–");
        await Expect(page.Locator("#token")).ToBeHiddenAsync();
        await page.Locator("[data-span=month]").ClickAsync();
        await Expect(page.Locator("#span-note")).ToContainTextAsync("Nothing is remembered yet");
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        Assert.Equal(0, await page.EvaluateAsync<int>("sessionStorage.length + localStorage.length"));
        await window.SaveAsync("empty");

        await page.Locator("#action").SelectOptionAsync("store/verify");
        await page.Locator("#action-form button").First.ClickAsync();
        await Expect(page.Locator("#action-result")).ToContainTextAsync("200");
        await page.Locator("#sign-out").ClickAsync();
        await Expect(page.Locator("#login")).ToBeVisibleAsync();
        Assert.All(window.Errors, error => Assert.Contains("401", error, StringComparison.Ordinal));
    }

    // 19: a page that was opened after a storm showed no traffic of it.
    [Fact]
    public async Task Traffic_OfAPageOpenedLate_BeginsWithWhatTheServerRemembers()
    {
        await using Window window = await OpenAsync(1280, 900, ColorScheme.Light);
        long[] at = [.. Enumerable.Range(1, 200).Select(i => DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 400 + i)];
        long[] counts = [.. at.Select(_ => 600L)];
        string history = JsonSerializer.Serialize(
            new { intervalSeconds = 60, at, requests = counts, sentBytes = counts, upstreamBytes = counts });
        await window.Page.RouteAsync("**/api/v1/history?span=day", route =>
            route.FulfillAsync(new RouteFulfillOptions { ContentType = "application/json", Body = history }));
        await window.Page.ReloadAsync();

        // Those of the last five minutes alone: about half of them.
        await Waiting.UntilAsync(async () =>
            await window.Page.EvaluateAsync<int>("Number(document.getElementById('chart').dataset.points ?? 0)") is > 60 and < 150);
        Assert.Empty(window.Errors);
    }

    [AxeFact]
    public async Task Page_ByAxe_HasNoFault()
    {
        string axe = await File.ReadAllTextAsync(AxeFactAttribute.Script!);
        foreach (ColorScheme scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await using Window window = await OpenAsync(1280, 1000, scheme);
            await Expect(window.Page.Locator(".boot.done").First).ToBeVisibleAsync();
            await Expect(window.Page.Locator("#room-store progress")).ToBeVisibleAsync();
            await AssertNoFaultAsync(window.Page, axe);
            await window.Page.Locator(".boot.done").First.ClickAsync();
            await Expect(window.Page.Locator("#details-body tbody tr").First).ToBeVisibleAsync();
            await AssertNoFaultAsync(window.Page, axe);
            await window.Page.GotoAsync(new Uri(Storm.AdminAddress, "/login.html").ToString());
            await AssertNoFaultAsync(window.Page, axe);
        }
    }

    private static async Task AssertNoFaultAsync(IPage page, string axe)
    {
        await page.EvaluateAsync(axe);
        string faults = await page.EvaluateAsync<string>(
            "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.help + ' '"
            + " + v.nodes.map(n => n.target).slice(0, 5)).join('\\n')");
        Assert.True(faults.Length == 0, faults);
    }

    [Theory]
    [InlineData("light", 1280, ColorScheme.Light)]
    [InlineData("dark", 1280, ColorScheme.Dark)]
    [InlineData("phone", 390, ColorScheme.Light)]
    [InlineData("phone-dark", 390, ColorScheme.Dark)]
    public async Task Page_InEachForm_IsNoWiderThanItsWindow(string name, int width, ColorScheme scheme)
    {
        await using Window window = await OpenAsync(width, 900, scheme);
        await Expect(window.Page.Locator(".boot.done").First).ToBeVisibleAsync();
        await Expect(window.Page.Locator("#chart canvas")).ToBeVisibleAsync();
        await Expect(window.Page.Locator("#room-store progress")).ToBeVisibleAsync();

        // Something to see on the chart.
        await Waiting.UntilAsync(async () =>
            await window.Page.EvaluateAsync<int>("Number(document.getElementById('chart').dataset.points ?? 0)") >= 6);

        Assert.Equal(0, await window.OverflowAsync());

        // The address of a VM that stopped is what one looks for: on a phone its last digits were cut.
        Assert.Equal(0, await window.Page.EvaluateAsync<int>(
            "(() => { const row = document.querySelector('.boot'), name = row.children[0], end = row.children[2];"
            + "row.className = 'boot stopped'; name.textContent = '255.255.255.255'; end.textContent = 'stopped'; "
            + "return [name, end].filter(cell => cell.scrollWidth > cell.clientWidth || cell.clientHeight > 24).length; })()"));
        string background = await window.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        Assert.Equal(scheme == ColorScheme.Dark ? "rgb(14, 20, 25)" : "rgb(244, 246, 248)", background);
        await window.SaveAsync(name);
        Assert.Empty(window.Errors);

        // A storm of an hour has longer texts than this one: in one step, since the page writes its own again.
        Assert.Equal(0, await window.Page.EvaluateAsync<int>(
            "(() => { for (const [places, text] of [['#boot-axis span, .boot .n', '119 min 59 s'], ['.tile b', '999,999,999 MB'], "
            + "['#live, #health, #storm-line, #span-note', 'unready since 2026-11-29 14:00:00']]) "
            + "for (const place of document.querySelectorAll(places)) place.textContent = text; "
            + "return document.documentElement.scrollWidth - document.documentElement.clientWidth; })()"));
    }

    private async Task<Window> OpenAsync(int width, int height, ColorScheme scheme)
    {
        Window window = await shared.Browser.OpenAsync(width, height, scheme);
        await window.Page.GotoAsync(Storm.AdminAddress.ToString());
        await Expect(window.Page.Locator("#t-requests b")).ToBeVisibleAsync();
        return window;
    }

    [GeneratedRegex(@"^127\.9\.")]
    private static partial Regex Address();

    [GeneratedRegex("^200 .*\"isDone\": true", RegexOptions.Singleline)]
    private static partial Regex Done();

    /// <summary>One storm and one browser for all tests of the page: a boot counts as over only after seconds of silence.</summary>
    public sealed class StormyBrowser : IAsyncLifetime
    {
        private const int Vms = 8;

        internal RunningStorm Storm { get; private set; } = null!;

        internal Browser Browser { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            SetDefaultExpectTimeout(60_000); // a set is learned, fetched and pinned behind all clients of a storm
            Browser = await Browser.StartAsync();
            Storm = await RunningStorm.StartAsync(Vms);
        }

        public async Task DisposeAsync()
        {
            await Storm.DisposeAsync();
            await Browser.DisposeAsync();
        }
    }
}
