export const id = 989;
export const ids = [989];
export const modules = {

/***/ 989:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   createHttpRequest: () => (/* binding */ d),
/* harmony export */   createMcpProbe: () => (/* binding */ v)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(254);
/* harmony import */ var _flows_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(813);
/* harmony import */ var _zod_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(346);
/* harmony import */ var _base_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(61);
function d(e){return async(t,n,r)=>{let i=await e(t,{redirect:`manual`,credentials:`omit`,headers:{"user-agent":`ink-deploy (health check)`,accept:`*/*`,"cache-control":`no-cache`},signal:n}),{status:a}=i,o=i.headers.get(`location`),s=r===void 0?void 0:await h(i,r),c=r===void 0&&a>=400?await m(i):void 0;return await i.body?.cancel(),{status:a,...o!==null&&{location:o},...s!==void 0&&{contains:s},...c!==void 0&&{text:c}}}}async function*f({body:e},t){let n=0;for await(let r of e?.values({preventCancel:!0})??[])if(yield r,n+=r.byteLength,n>=t)return}const p=2e3;async function m(e){let t=[];for await(let n of f(e,p))t.push(n);return new TextDecoder().decode(Buffer.concat(t).subarray(0,p))}async function h(e,t){if([...e.headers].some(([e,n])=>`${e}: ${n}`.includes(t)))return!0;let n=new TextDecoder,r=``;for await(let i of f(e,1e6))if(r=r.slice(-t.length)+n.decode(i,{stream:!0}),r.includes(t))return!0;return!1}const g=2e3,_={messageBytes:4e6,totalBytes:8e6};function v(e){return async(r,i)=>{let a=y((0,_base_js__WEBPACK_IMPORTED_MODULE_3__.kn)(e,_)),o=new _flows_js__WEBPACK_IMPORTED_MODULE_1__.f({name:`ink-deploy`,version:`1.0.0`}),s=new _flows_js__WEBPACK_IMPORTED_MODULE_1__.u(r,{fetch:a,requestInit:{redirect:`error`}}),d=()=>void o.close();i.addEventListener(`abort`,d,{once:!0});try{return await o.connect(s,{signal:i}),await S(o,i)}catch(e){throw C(e)}finally{i.removeEventListener(`abort`,d),await (0,_base_js__WEBPACK_IMPORTED_MODULE_3__.rr)(_base_js__WEBPACK_IMPORTED_MODULE_3__.tr,2e3,new AbortController().signal,()=>s.terminateSession()).catch(()=>void 0),await o.close()}}}function y(e){return async(t,n)=>n?.method===`GET`?new Response(null,{status:405}):e(t,n)}const b=(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.m)({tools:(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.s)((0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.S)()),nextCursor:(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.b)().optional().catch(void 0)}),x=(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.g)({name:(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.b)()});async function S(e,t){let n=[];if(e.getServerCapabilities()?.tools===void 0)return n;try{await (0,_base_js__WEBPACK_IMPORTED_MODULE_3__.rr)(_base_js__WEBPACK_IMPORTED_MODULE_3__.tr,1e4,t,async t=>{let r;for(let i=0;i<10&&n.length<g;i+=1){let i=r===void 0?{}:{cursor:r},a=await e.request({method:`tools/list`,params:i},b,{signal:t});if(n.push(...a.tools.flatMap(e=>x.safeParse(e).data?.name??[])),r=a.nextCursor,r===void 0)break}})}catch{t.throwIfAborted()}return n.slice(0,g)}function C(t){return t instanceof _flows_js__WEBPACK_IMPORTED_MODULE_1__.d?t.code===401||t.code===403?/* @__PURE__ */ Error(`HTTP ${t.code}, it asks for authorization; give health in ink.yml a path, and the status 401, instead`):t.code===void 0?t:/* @__PURE__ */ Error(`HTTP ${t.code}`):t}

/***/ })

};
