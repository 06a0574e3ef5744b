using Microsoft.Playwright;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;
using static Microsoft.Playwright.Assertions;

namespace Shoal.Browser.Tests;

/// <summary>A silo that asks who one is, in a real browser: whether it keeps the key, and gives it up.</summary>
public sealed class SignInTests(PagesFixture pages) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-signin-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Who_has_a_key_types_it_once_sees_what_it_is_for_and_signs_out()
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(_folder.FullName, "--auth", "--log", "Error");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("mine", new DatasetSettings());
        await client.CreateDatasetAsync("theirs", new DatasetSettings());
        CreatedKey key = await client.CreateKeyAsync(new NewAccessKey { Name = "a reader", Scopes = [AccessScopes.Read], Datasets = ["mine"] });

        await using Visit visit = await pages.OpenAsync(silo.Http);
        IPage page = visit.Page;
        await page.GotoAsync("/watch/mine/clusters");
        await page.GetByLabel("Key").WaitForAsync();
        await Pictures.TakeAsync(visit, "signin");
        await page.GetByLabel("Key").FillAsync(key.Secret);
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();

        // Back where it wanted to go, alive, and no script can read the key.
        await page.WaitForURLAsync("**/watch/mine/clusters");
        await page.GetByText("mine").First.WaitForAsync();
        Assert.Empty(await page.EvaluateAsync<string>("() => document.cookie"));
        await page.GotoAsync("/");
        await page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Dataset mine" }).WaitForAsync();
        await Expect(page.GetByText("theirs")).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Create" })).ToHaveCountAsync(0);
        visit.AssertClean();

        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();
        await page.GetByLabel("Key").WaitForAsync();
        await page.GotoAsync("/");
        await page.WaitForURLAsync("**/signin?return=*");
        visit.AssertClean();
    }

    [Fact]
    public async Task Who_types_something_else_is_told_so_and_stays_outside()
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(_folder.FullName, "--auth", "--log", "Error");
        await using Visit visit = await pages.OpenAsync(silo.Http);
        await visit.Page.GotoAsync("/");
        await visit.Page.GetByLabel("Key").FillAsync("shoal_0123456789abcdef");
        await visit.Page.Keyboard.PressAsync("Enter");

        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("This is no key");
        Assert.Empty(await visit.Page.Context.CookiesAsync());
    }
}
